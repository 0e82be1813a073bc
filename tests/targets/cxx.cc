// SPDX-License-Identifier: MIT
// C++ target: namespaces, overloads, methods, references, templates, enums. Waits for its input to end.
#include <iostream>
#include <string>
#include <unistd.h>

namespace ns
{
int counter = 7;
const int limit = 12;
enum class Color { RED, GREEN = 5 };
enum Plain { FLAT, STEEP = 3 };

int f(int a)
{
	return a + 100;
}
int f(double a)
{
	return (int)(a * 10);
}
int f(const char *a)
{
	return a[0];
}
int f(int a, int b)
{
	return a - b;
}
int which(const char *)
{
	return 1;
}
int which(int)
{
	return 2;
}
int which(long)
{
	return 3;
}
int which(bool)
{
	return 4;
}
int which(Plain)
{
	return 5;
}
int which(char &)
{
	return 6;
}
char letter = 'x';
Color next(Color c)
{
	return c == Color::RED ? Color::GREEN : Color::RED;
}
bool both(bool a, bool b)
{
	return a && b;
}
template <typename T> T largest(T a, T b)
{
	return a > b ? a : b;
}
template int largest(int, int);
template double largest(double, double);

namespace inner
{
int deep(int a)
{
	return a * 3;
}
long only = 99;
} // namespace inner

struct Point {
	static const int dimensions = 2;
	static int made;
	int x, y;
	int sum() const;
	int kind();
	int kind() const;
	int scaled(int by);
	int scaled(double by);
	static int twice(int a);
	struct Inside {
		int z;
	};
};
int Point::made = 4;
int Point::sum() const
{
	return x + y;
}
int Point::kind()
{
	return 1;
}
int Point::kind() const
{
	return 2;
}
int Point::scaled(int by)
{
	return (x + y) * by;
}
int Point::scaled(double by)
{
	return (int)((x + y) * by) + 1000;
}
int Point::twice(int a)
{
	return 2 * a;
}
Point origin = { 3, 4 };
Point *where = &origin;
const Point *fixed = &origin;
Point::Inside inside = { 8 };

struct Shape {
	int id = 1;
	virtual ~Shape()
	{
	}
	virtual int area() const;
	int name_of()
	{
		return id;
	}
};
int Shape::area() const
{
	return 0;
}
struct Solid {
	long weight = 70;
	virtual ~Solid()
	{
	}
	virtual long heavy();
};
long Solid::heavy()
{
	return weight;
}
struct Square : Shape, Solid {
	int side = 6;
	int area() const override
	{
		return side * side;
	}
	long heavy() override
	{
		return weight + side;
	}
};
Square square;
Shape &as_shape = square;
Solid *as_solid = &square;
int use(Shape *s)
{
	return s->area() + s->name_of();
}
} // namespace ns

namespace other
{
int counter = 70;
int f(int a)
{
	return a + 200;
}
int only_here(int a)
{
	return a + 1;
}
} // namespace other

// A base class that is shared: where it lies only the object's own table tells.
namespace shared
{
struct Base {
	int base = 7;
	static int made;
	virtual int who()
	{
		return 1;
	}
	int twice()
	{
		return 2 * base;
	}
};
int Base::made = 5;
struct Left : virtual Base {
	int left = 8;
};
struct Right : virtual Base {
	int right = 9;
	int who() override
	{
		return 2;
	}
};
struct Whole : Left, Right {
	int whole = 10;
};
Whole whole;
Right alone, *right = &whole;
Base *base = &whole, *slot;
int take(Base *b)
{
	return b->base;
}
int refer(Base &b)
{
	return b.base;
}
struct First {
	int first = 3;
};
struct Derived : First {
	int second = 4;
};
struct Twice : Left, First {
};
struct Both : Derived, Twice {
};
Derived derived;
Both both;
int slice(First f)
{
	return f.first;
}
int calls;
Base *next_base()
{
	calls++;
	return base;
}
int all()
{
	return take(&whole) + refer(whole) + slice(derived) + next_base()->twice() + base->who() +
	       (int)(slot == base) + both.second;
}
} // namespace shared

int &increase(int &value, const long &by)
{
	value += (int)by;
	return value;
}
int &reference = ns::counter;
int area_of(const ns::Shape &shape)
{
	return shape.area();
}
ns::Point moved(ns::Point p, int by)
{
	return { p.x + by, p.y + by };
}
std::string text(const char *s)
{
	return s;
}
int length(std::string s)
{
	return (int)s.size();
}
namespace
{
int hidden(int a)
{
	return a - 1;
}
} // namespace
int thrower(int a)
{
	if (a > 1)
		throw a;
	return a;
}
static int counted()
{
	static int calls = 40;

	return ++calls;
}

// A library's object, of which the program has the copy that counts.
std::ostream *stream = &std::cerr;
bool is_stream(std::ostream &s)
{
	return &s == stream && s.good();
}

// Names that libc has too, for something else.
int atoi(int a)
{
	return a + 1;
}
long free(long handle)
{
	return handle + 50;
}

// Names that end in a digit, and a digit that begins the length of the next.
namespace md5
{
int sum(int a)
{
	return a + 5;
}
struct Vec3 {
	int x;
	static int made;
	int length()
	{
		return x;
	}
} state = { 6 };
int Vec3::made = 9;
} // namespace md5

template <class... A> int sum_of(A... a)
{
	return (0 + ... + a);
}
template <class T, class... A> int first_of(T first, A... rest)
{
	return first * 100 + (int)sizeof...(rest);
}

int total = 1000, outside = 77;
int both(int a)
{
	return 9000 + a;
}
int wait_here(int local);

struct Inherited {
	int inherited = 6;
	int from_base(int a)
	{
		return inherited + a;
	}
};
struct Waiter : Inherited {
	int total = 1, own = 3;
	static int shared;
	int both(int a)
	{
		return total * 10 + a;
	}
	static int times(int a)
	{
		return a * 7;
	}
	int enter(int local)
	{
		int total2 = total + both(1) + times(2) + from_base(1) + shared;

		return wait_here(local + 0 * total2) + local;
	}
} waiter;
int Waiter::shared = 60;

// Where a frame of C++ waits.
int wait_here(int local)
{
	char c;

	local += ns::limit;
	while (read(0, &c, 1) > 0)
		local += hidden(c);
	return local + counted();
}

namespace rank
{
enum Some { NONE, SEVEN = 7 } some;
struct Top {
	int t = 1;
} top;
struct Middle : Top {
} low;
struct Bottom : Middle {
} high;
struct Object {
	int o = 0;
	__attribute__((used)) int call()
	{
		return 1 + o;
	}
	__attribute__((used)) int call() const
	{
		return 2 + o;
	}
	__attribute__((used)) int call() volatile
	{
		return 3;
	}
	__attribute__((used)) int referred() &
	{
		return 1 + o;
	}
	__attribute__((used)) int referred() &&
	{
		return 2 + o;
	}
} object;
const Object &fixed = object;
volatile Object hardware;
int f(int)
{
	return 1;
}
int f(bool)
{
	return 2;
}
int f(unsigned)
{
	return 3;
}
int near_to(Top *)
{
	return 1;
}
int near_to(Bottom *)
{
	return 2;
}
int any(Top *)
{
	return 1;
}
int any(void *)
{
	return 2;
}
int exact(int)
{
	return 1;
}
template <class T> int exact(T)
{
	return 2;
}
int defaulted(int a, int b = 2, int c = 3)
{
	return a + b * c;
}
int all()
{
	return f(1) + exact(2l) + exact(1) + defaulted(1) + fixed.o + hardware.o + top.t;
}
} // namespace rank

int main()
{
	if (write(1, "ready\n", 6) != 6)
		return 1;
	int others = atoi(1) + (int)free(2L) + md5::sum(1) + md5::state.length() + sum_of(1, 2) +
		     first_of(1, 2, 3) + both(1) + total + outside + md5::Vec3::made;

	others += is_stream(std::cerr) + rank::all();
	return waiter.enter(ns::use(&ns::square) + 0 * (shared::all() + others)) == 0;
}
