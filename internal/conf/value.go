package conf

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

var (
	durationType = reflect.TypeFor[time.Duration]()
	secretType   = reflect.TypeFor[Secret]()
)

// set puts the value into the field, or gives an error that says what is accepted.
func (o *option) set(field reflect.Value, value string) error {
	if u, ok := field.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return u.UnmarshalText([]byte(value))
	}
	switch {
	case o.kind == durationType:
		return o.setDuration(field, value)
	case o.kind.Kind() == reflect.Bool:
		b, err := parseBool(value)
		field.SetBool(b)
		return err
	case field.CanInt():
		n, err := o.parseInt(value)
		field.SetInt(n)
		return err
	case field.CanFloat():
		n, err := strconv.ParseFloat(value, 64)
		if err != nil || n != n || n > 1e9 || n < -1e9 {
			return errors.New("a number")
		}
		field.SetFloat(n)
		return nil
	case o.kind.Kind() == reflect.Slice:
		field.Set(reflect.ValueOf(list(value)))
		return nil
	}
	return o.setString(field, value)
}

func (o *option) setString(field reflect.Value, value string) error {
	if to, ok := o.alias[value]; ok {
		value = to
	}
	if len(o.choices) > 0 && !slices.Contains(o.choices, value) {
		return errors.New("one of " + strings.Join(o.choices, ", "))
	}
	field.SetString(value)
	return nil
}

func (o *option) setDuration(field reflect.Value, value string) error {
	n, err := o.parseInt(value)
	const most = int64(1<<63-1) / int64(time.Second)
	if err != nil || n > most || n < -most {
		return errors.New(o.rangeText("a whole number of seconds"))
	}
	field.SetInt(n * int64(time.Second))
	return nil
}

func (o *option) parseInt(value string) (int64, error) {
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || o.min != nil && float64(n) < *o.min || o.max != nil && float64(n) > *o.max {
		return 0, errors.New(o.rangeText("a whole number"))
	}
	return n, nil
}

// rangeText adds min and max to what is accepted.
func (o *option) rangeText(what string) string {
	switch {
	case o.min != nil && o.max != nil:
		return fmt.Sprintf("%s from %g to %g", what, *o.min, *o.max)
	case o.min != nil:
		return fmt.Sprintf("%s, %g or more", what, *o.min)
	}
	return what
}

// parseBool reads the words oslo.config's BoolOpt reads.
func parseBool(value string) (bool, error) {
	switch strings.ToLower(value) {
	case "true", "1", "yes", "on":
		return true, nil
	case "false", "0", "no", "off":
		return false, nil
	}
	return false, errors.New("true, false, 1, 0, yes, no, on or off")
}
