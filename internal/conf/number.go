package conf

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Number is an option of [DEFAULT] that is declared where it acts, in a package that
// does not know this one: how much a weigher counts.
type Number struct {
	Name    string
	Default float64
	Help    string
}

// numbers are those of the program.
var numbers []Number

// Declare makes an option known. It is for init functions only, so that every reading of
// a file has the same options.
func Declare(n Number) {
	numbers = append(numbers, n)
	slices.SortFunc(numbers, func(a, b Number) int { return strings.Compare(a.Name, b.Name) })
}

// Number gives the value of an option that has been declared.
func (c *Config) Number(name string) float64 {
	for i, n := range numbers {
		if n.Name == name {
			return c.Numbers[i]
		}
	}
	panic("conf: nobody has declared " + name)
}

// Numbers are the values of what has been declared.
type Numbers []float64

// optionsOfNumbers are as if Numbers were a struct with a field for each.
func optionsOfNumbers() []option {
	var all []option
	for i, n := range numbers {
		all = append(all, option{name: n.Name, index: i, kind: reflect.TypeFor[float64](), help: n.Help, def: fmt.Sprint(n.Default)})
	}
	return all
}
