// SPDX-License-Identifier: MIT
// Values and functions of every kind, for tests that read and call them. The table of expressions
// that it is built with has it print what each is, as a debugger is to print it.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"runtime/pprof"
	"sort"
	"strconv"
	"strings"
	"unsafe"
)

type Point struct{ X, Y int }
type Line struct {
	From, To Point
	name     string
}
type Named []string
type Celsius float32
type Color uint8
type Table map[string]int
type Callback func(int) int
type Ring *Node
type Node struct {
	Value int
	Next  *Node
}
type Shape interface {
	Area() float64
	Name() string
}
type Square struct {
	Point
	Side float64
}
type Circle struct {
	*Point
	R float32
}
type Pair[K comparable, V any] struct {
	Key   K
	Value V
}
type Big struct {
	A [4]int
	B string
}
type Wide struct {
	A, B, C, D, E, F, G, H, I, J int
}
type Mixed struct {
	A int8
	B float32
	C uint16
	D complex64
	E bool
	F [1]string
	G struct{}
	H *int
}
type wrapped struct{ error }

const (
	Red Color = iota + 1
	Green
	Blue
)
const Answer = 42
const Ratio = 0.75
const Greeting = "hello"

//go:noinline
func (c Color) String() string { return [...]string{"", "red", "green", "blue"}[c] }

//go:noinline
func (p Point) Sum() int { return p.X + p.Y }

//go:noinline
func (p *Point) Scale(by int) Point { return Point{p.X * by, p.Y * by} }

//go:noinline
func (p Point) Add(q Point) Point { return Point{p.X + q.X, p.Y + q.Y} }

//go:noinline
func (s Square) Area() float64 { return s.Side * s.Side }

//go:noinline
func (s Square) Name() string { return "square" }

//go:noinline
func (c *Circle) Area() float64 { return 3 * float64(c.R) * float64(c.R) }

//go:noinline
func (c *Circle) Name() string { return "circle" }

//go:noinline
func (n Named) Join(by string) string { return strings.Join(n, by) }

//go:noinline
func (n *Node) Length() int {
	k := 0
	for ; n != nil; n = n.Next {
		k++
	}
	return k
}

//go:noinline
func (p Pair[K, V]) First() K { return p.Key }

//go:noinline
func (t Celsius) Fahrenheit() Celsius { return t*9/5 + 32 }

var (
	i                  = -42
	i8       int8      = -8
	i16      int16     = -1600
	i32      int32     = -320000
	i64      int64     = -64000000000
	u        uint      = 42
	u8       uint8     = 200
	u16      uint16    = 60000
	u32      uint32    = 4000000000
	u64      uint64    = 18446744073709551615
	uptr     uintptr   = 0xdeadbeef
	f32      float32   = 1.25
	f64                = -2.5e10
	tiny               = 1e-7
	third              = 1.0 / 3
	third32  float32   = 1.0 / 3
	huge               = 1e100
	c64      complex64 = complex(1.5, -2)
	c128               = complex(-1, 0.5)
	yes, no            = true, false
	r                  = 'x'
	str                = "plain"
	quoted             = "a \"quoted\" line\n\ttab \x00\x7f\xff end"
	unicode            = "grüße, 世界"
	empty              = ""
	long               = strings.Repeat("0123456789", 30)
	point              = Point{3, 4}
	pp                 = &point
	npp      *Point
	ppp      = &pp
	line     = Line{Point{1, 2}, Point{3, 4}, "l"}
	arr      = [3]int{7, 8, 9}
	parr     = &arr
	arr0     [0]int
	matrix   = [2][3]int8{{1, 2, 3}, {4, 5, 6}}
	sl       = []int{1, 2, 3, 4, 5}
	nsl      []int
	esl      = []string{}
	bytes    = []byte("bytes")
	runes    = []rune("runé")
	points   = []Point{{1, 2}, {3, 4}}
	ppoints  = []*Point{{5, 6}, nil}
	names    = Named{"x", "y"}
	many     = make([]int, 300)
	m        = map[string]int{"one": 1}
	nm       map[string]int
	em       = map[int]bool{}
	table    = Table{"k": 7}
	byPoint  = map[Point]string{{1, 2}: "p"}
	byKind   = map[interface{}]int{"s": 1}
	large    = map[int]int{}
	bigs     = map[string][40]int{}
	nested   = map[string]map[string][]int{"a": {"b": {1, 2}}}
	ch       = make(chan int, 3)
	nch      chan string
	fn       = add
	nfn      func()
	callback Callback = double
	closure  func(int) int
	any1     interface{} = 7
	any2     interface{} = "text"
	any3     interface{} = Point{1, 2}
	any4     interface{} = &point
	any5     interface{} = []int{1}
	nany     interface{}
	shape    Shape = Square{Point{1, 2}, 1.5}
	shapeP   Shape = &Circle{&point, 2}
	nshape   Shape
	err1           = errors.New("bad")
	err2     error = wrapped{err1}
	nerr     error
	color            = Green
	temp     Celsius = 36.5
	anon             = struct {
		A int
		B string
	}{1, "z"}
	pair          = Pair[string, int]{"k", 5}
	list          = &Node{1, &Node{2, &Node{3, nil}}}
	ring     Ring = &Node{9, nil}
	square        = Square{Point{5, 6}, 2}
	circle        = Circle{&point, 1}
	big           = Big{[4]int{1, 2, 3, 4}, "b"}
	wide          = Wide{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	mixed         = Mixed{-1, 0.5, 9, complex(1, 2), true, [1]string{"f"}, struct{}{}, &i}
	up            = unsafe.Pointer(nil)
	writable      = 5
	fresh    *Point
)

//go:noinline
func add(a, b int) int { return a + b }

//go:noinline
func double(a int) int { return 2 * a }

//go:noinline
func none() {}

//go:noinline
func two(s string, n int) (string, int) { return s + "!", n + 1 }

//go:noinline
func three(a int8, b float64, c string) (float64, error, [2]int) {
	return b + float64(a), errors.New(c), [2]int{int(a), len(c)}
}

//go:noinline
func join(a Point, b string, c []int, d interface{}, e error, f map[string]int, g float32) string {
	return fmt.Sprint(a, b, c, d, e, f, g)
}

//go:noinline
func ten(a, b, c, d, e, f, g, h, i, j int) int {
	return a + 10*b + 100*c + 1000*d + 10000*e + 100000*f + 1000000*g + 10000000*h + 100000000*i + 1000000000*j
}

//go:noinline
func floats(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q float64) float64 {
	return a + 2*b + 3*c + 4*d + 5*e + 6*f + 7*g + 8*h + 9*i + 10*j + 11*k + 12*l + 13*m + 14*n + 15*o + 16*p + 17*q
}

//go:noinline
func sizes(a int8, b uint16, c bool, d int32, e uint8, f rune, g uint64) (int8, uint16, bool, int32, uint8, rune, uint64) {
	return a - 1, b + 1, !c, d - 1, e + 1, f + 1, g - 1
}

//go:noinline
func bigOf(b Big, w Wide) (Big, int) {
	b.A[3] += w.J
	b.B += "+"
	return b, w.A + w.J
}

//go:noinline
func mixedOf(x Mixed, y complex128) (Mixed, complex128) {
	x.A--
	x.B *= 2
	x.F[0] += "g"
	return x, y * complex(0, 1)
}

//go:noinline
func variadic(prefix string, n ...int) string { return prefix + fmt.Sprint(len(n), n) }

//go:noinline
func apply(f func(int) int, n int) int { return f(n) }

//go:noinline
func skip(_ int, b int, _ string, d string) string { return d + strconv.Itoa(b) }

//go:noinline
func unused(a, b, c int, s string) int { return b }

//go:noinline
func sum(n []int) (total int) {
	for _, x := range n {
		total += x
	}
	return
}

//go:noinline
func area(s Shape) float64 { return s.Area() }

//go:noinline
func isNil(p *Point, e error, m map[string]int) bool { return p == nil && e == nil && m == nil }

//go:noinline
func deref(p *int) int { return *p }

//go:noinline
func grow(n int) int {
	var page [512]byte
	page[n%512] = byte(n)
	if n == 0 {
		return 0
	}
	return grow(n-1) + int(page[n%512])&0 + 1
}

//go:noinline
func collect(s string) string { runtime.GC(); return s + fmt.Sprint(len(s)) }

//go:noinline
func receiving(c chan int) { <-c }

//go:noinline
func selecting(a, b chan int) {
	select {
	case <-a:
	case b <- 1:
	}
}

//go:noinline
func labelled(c chan int) {
	pprof.Do(context.Background(), pprof.Labels("kind", "worker"), func(context.Context) { receiving(c) })
}

//go:noinline
func park() {
	never := make(chan int)
	for n := 0; n < 20; n++ {
		go receiving(never)
	}
	go selecting(never, nil)
	go labelled(never)
}

// ---- as a debugger prints it ----

func quote(s string) string {
	more := ""
	if len(s) > 200 {
		more = fmt.Sprintf("...+%d more", len(s)-200)
		s = s[:200]
	}
	return strconv.Quote(s) + more
}

func number(x float64, bits int) string {
	s := strconv.FormatFloat(x, 'g', -1, bits)
	if e := strings.IndexByte(s, 'e'); e >= 0 {
		if exp, _ := strconv.Atoi(s[e+1:]); exp >= -4 && exp < 21 {
			return strconv.FormatFloat(x, 'f', -1, bits)
		}
	} else if x != 0 && (x < 1e-4 && x > -1e-4) {
		return strconv.FormatFloat(x, 'e', -1, bits)
	}
	return s
}

func text(v reflect.Value, typed bool, followed int) string {
	t := v.Type()
	name := strings.ReplaceAll(t.String(), "interface {}", "interface {}")
	prefix := ""
	if typed {
		prefix = name + " "
	}
	switch v.Kind() {
	case reflect.Bool:
		return strconv.FormatBool(v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return strconv.FormatInt(v.Int(), 10)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return strconv.FormatUint(v.Uint(), 10)
	case reflect.Float32, reflect.Float64:
		return number(v.Float(), t.Bits())
	case reflect.Complex64, reflect.Complex128:
		re, im, sign := real(v.Complex()), imag(v.Complex()), "+"
		if im < 0 {
			im, sign = -im, "-"
		}
		return "(" + number(re, t.Bits()/2) + " " + sign + " " + number(im, t.Bits()/2) + "i)"
	case reflect.String:
		return quote(v.String())
	case reflect.Slice, reflect.Array:
		if v.Kind() == reflect.Slice && typed {
			prefix += fmt.Sprintf("len: %d, cap: %d, ", v.Len(), v.Cap())
			if v.IsNil() {
				return prefix + "nil"
			}
		}
		var parts []string
		for i := 0; i < v.Len() && i < 200; i++ {
			parts = append(parts, text(v.Index(i), false, followed))
		}
		if v.Len() > 200 {
			parts = append(parts, fmt.Sprintf("...+%d more", v.Len()-200))
		}
		return prefix + "[" + strings.Join(parts, ",") + "]"
	case reflect.Struct:
		var parts []string
		for i := 0; i < v.NumField(); i++ {
			parts = append(parts, t.Field(i).Name+": "+text(v.Field(i), true, followed))
		}
		return prefix + "{" + strings.Join(parts, ", ") + "}"
	case reflect.Map:
		if v.IsNil() {
			return name + " nil"
		}
		var parts []string
		for _, key := range v.MapKeys() {
			parts = append(parts, text(key, false, followed)+": "+text(v.MapIndex(key), false, followed)+", ")
		}
		sort.Strings(parts)
		return prefix + "[" + strings.Join(parts, "") + "]"
	case reflect.Interface:
		if v.IsNil() {
			return name + " nil"
		}
		return name + "(" + v.Elem().Type().String() + ") " + text(v.Elem(), false, followed)
	case reflect.Ptr:
		if v.IsNil() {
			return prefix + "nil"
		}
		if followed == 2 {
			return fmt.Sprintf("(%s)(0x%x)", name, v.Pointer())
		}
		return "*" + text(v.Elem(), typed, followed+1)
	case reflect.Chan:
		if v.IsNil() {
			return name + " nil"
		}
		return fmt.Sprintf("%s %d/%d", name, v.Len(), v.Cap())
	case reflect.Func:
		if v.IsNil() {
			return "nil"
		}
		return runtime.FuncForPC(v.Pointer()).Name()
	case reflect.UnsafePointer:
		return fmt.Sprintf("unsafe.Pointer(0x%x)", v.Pointer())
	}
	return "?"
}

// The values are of their own types, not of interfaces that hold them.
func show(values ...interface{}) {
	var parts []string
	for _, value := range values {
		parts = append(parts, text(reflect.ValueOf(value).Elem(), true, 0))
	}
	if len(parts) == 1 {
		fmt.Println(parts[0])
	} else {
		fmt.Println("(" + strings.Join(parts, ", ") + ")")
	}
}

func main() {
	for n := 0; n < 1000; n++ {
		large[n] = n * n
	}
	bigs["b"] = [40]int{1, 2, 3}
	ch <- 1
	ch <- 2
	base := len(os.Args) + 99
	closure = func(n int) int { return base + n }
	fresh = &Point{base, base}
	fmt.Sprintf("%v", []interface{}{skip(1, 2, "", ""), pair.First(), Ratio, Greeting, fresh, writable})
	tableOfExpressions()
	park()
	fmt.Println("ready")
	os.Stdout.Sync()
	// Whoever reads standard input lets it go.
	bufio.NewReader(os.Stdin).ReadString('\n')
}
