// SPDX-License-Identifier: MIT
// The standard library's classes, each in the shapes that tell printers apart: empty, one, many, nested.
#include <any>
#include <array>
#include <atomic>
#include <bitset>
#include <deque>
#include <filesystem>
#include <forward_list>
#include <functional>
#include <initializer_list>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <set>
#include <stack>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <variant>
#include <vector>
#include <cstdio>
#include <cstring>
#include <unistd.h>

struct point {
	int x, y;
	bool operator<(const point &other) const
	{
		return x < other.x;
	}
	bool operator==(const point &other) const
	{
		return x == other.x && y == other.y;
	}
};
struct hash_point {
	size_t operator()(const point &p) const
	{
		return (size_t)p.x;
	}
};
struct person : point {
	std::string name = "bob";
	std::vector<int> numbers = { 1, 2, 3 };
};
struct wide {
	alignas(32) long double v;
};
struct closer {
	int state = 1;
	void operator()(int *p) const
	{
		delete p;
	}
};
enum class color { RED, GREEN };

std::string empty_string, short_string = "hello", long_string(40, 'x'), quoted = "a\"b\n",
			  with_nul("a\0b\0", 4);
std::string huge_string(1000, 'y');
std::wstring wide_string = L"wide";
std::u16string u16 = u"sixteen";
std::string_view view = "a view", no_view;
std::string numbered;
std::vector<int> no_vector, vector = { 1, 2, 3 }, big_vector(300, 7), repeated(20, 5), counted;
std::vector<bool> bits = { true, false, true }, no_bits, many_bits(70, true);
std::vector<std::string> strings = { "one", "two" };
std::vector<point> points = { { 1, 2 }, { 3, 4 } };
std::vector<std::vector<int>> nested = { { 1 }, {}, { 2, 3 } };
std::vector<person> people(1);
std::vector<color> colors = { color::RED, color::GREEN };
std::array<int, 3> array = { 4, 5, 6 };
std::deque<int> no_deque, deque = { 1, 2, 3 }, big_deque;
std::deque<wide> wides(2);
std::list<int> no_list, list = { 1, 2, 3 }, big_list(250, 1);
std::list<wide> wide_list(2);
std::list<std::string> string_list = { "a", "b" };
std::forward_list<int> no_forward, forward = { 1, 2, 3 };
std::map<std::string, int> no_map, map = { { "a", 1 }, { "b", 2 } };
std::map<int, std::map<int, int>> maps = { { 1, { { 2, 3 } } }, { 4, {} } };
std::map<point, const char *> by_point = { { { 1, 2 }, "first" } };
std::map<int, int> big_map;
std::multimap<int, char> multimap = { { 1, 'a' }, { 1, 'b' } };
std::set<int> no_set, set = { 3, 1, 2 };
std::multiset<std::string> multiset = { "x", "x" };
std::unordered_map<int, std::string> no_hash, hash = { { 1, "one" } };
std::unordered_map<std::string, int> string_hash = { { "key", 5 } };
std::unordered_set<int> hash_set = { 9 };
std::unordered_set<point, hash_point> point_set = { { 1, 2 } };
std::unordered_multimap<int, int> hash_multi = { { 1, 1 }, { 1, 2 } };
std::pair<int, std::string> pair = { 1, "second" };
std::tuple<> no_tuple;
std::tuple<int> one_tuple = { 5 };
std::tuple<int, std::string, point> tuple = { 1, "two", { 3, 4 } };
std::optional<int> no_optional, optional = 5;
std::optional<std::string> string_optional = "inside";
std::variant<int, std::string, point> variant = "text", int_variant = 3,
				      point_variant = point{ 1, 2 };
std::any no_any, int_any = 5, string_any = std::string("in any"), point_any = point{ 7, 8 };
std::unique_ptr<int> no_unique, unique(new int(5));
std::unique_ptr<point> unique_point(new point{ 1, 2 });
std::unique_ptr<int, closer> unique_closer(new int(6));
std::unique_ptr<int[]> unique_array(new int[3]{ 1, 2, 3 });
std::shared_ptr<int> no_shared, shared = std::make_shared<int>(7), shared_too = shared;
std::weak_ptr<int> no_weak, weak = shared, expired;
std::shared_ptr<std::string> shared_string(new std::string("owned"));
std::atomic<int> atomic(5);
std::atomic<bool> atomic_bool(true);
std::atomic<int *> atomic_pointer;
std::bitset<10> no_bitset, bitset(0x205);
std::bitset<130> big_bitset;
std::filesystem::path path = "/usr/lib";
std::stack<int> stack;
std::queue<int> queue;
std::priority_queue<int> priority;
std::vector<int>::iterator iterator = vector.begin();
std::list<int>::iterator list_iterator = list.begin();
std::map<std::string, int>::iterator map_iterator = map.begin();
std::set<int>::iterator set_iterator = set.begin();
std::deque<int>::iterator deque_iterator = deque.begin();
std::initializer_list<int> initializers = { 1, 2 };
person bob;
std::string *string_pointer = &short_string;
std::string &string_reference = long_string;
const std::vector<int> &vector_reference = vector;
std::vector<int> array_of_vectors[2] = { { 1 }, { 2, 3 } };

// What nobody has made yet: every byte is 0xa5, or one member is wrong.
alignas(16) unsigned char garbage[64];
std::vector<int> *bad_vector = (std::vector<int> *)garbage;
std::string *bad_string = (std::string *)garbage;
std::map<int, int> *bad_map = (std::map<int, int> *)garbage;
std::list<int> *bad_list = (std::list<int> *)garbage;
std::deque<int> *bad_deque = (std::deque<int> *)garbage;
std::unordered_map<int, std::string> *bad_hash = (std::unordered_map<int, std::string> *)garbage;
std::shared_ptr<int> *bad_shared = (std::shared_ptr<int> *)garbage;
std::optional<int> *bad_optional = (std::optional<int> *)garbage;
struct ring {
	void *next, *previous;
	size_t size;
} rings[2];
std::list<int> *cyclic = (std::list<int> *)&rings[0];

std::optional<int> give_optional(int n)
{
	return n ? std::optional<int>(n) : std::nullopt;
}
std::string_view give_view()
{
	return view.substr(2);
}

int main()
{
	char c;

	memset(garbage, 0xa5, sizeof(garbage));
	rings[0] = { &rings[1], &rings[1], 5 };
	rings[1] = { &rings[1], &rings[0], 0 };
	for (int i = 0; i < 300; i++) {
		big_deque.push_back(i);
		big_map[i] = i * i;
	}
	big_deque.pop_front();
	vector.reserve(5);
	iterator = vector.begin();
	expired = std::make_shared<int>(1);
	stack.push(1);
	stack.push(2);
	queue.push(3);
	priority.push(4);
	big_bitset.set(129);
	bits.push_back(give_optional(1).has_value());
	numbered = std::to_string(give_view().size());
	puts("ready");
	fflush(stdout);
	return (int)read(0, &c, 1);
}
