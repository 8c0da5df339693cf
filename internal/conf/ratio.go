package conf

import (
	"errors"
	"strconv"
)

// Ratio is how many times its size a thin pool may be promised
// (max_over_subscription_ratio).
type Ratio struct {
	Auto bool    // nobody has chosen one; 20, from which Cinder starts too
	Fix  float64 // otherwise at least 1
}

var errRatio = errors.New("a number of at least 1, or auto")

// UnmarshalText reads a number of at least 1, or the word auto.
func (r *Ratio) UnmarshalText(text []byte) error {
	if string(text) == "auto" {
		*r = Ratio{Auto: true}
		return nil
	}
	n, err := strconv.ParseFloat(string(text), 64)
	if err != nil || !(n >= 1 && n <= 1e6) {
		return errRatio
	}
	*r = Ratio{Fix: n}
	return nil
}

// String writes what UnmarshalText reads.
func (r Ratio) String() string {
	if r.Auto {
		return "auto"
	}
	return strconv.FormatFloat(r.Fix, 'f', -1, 64)
}
