package backend

import "clinker/internal/fault"

// CheckSize gives Invalid for a size, in bytes, that no volume can have.
func CheckSize(size int64) error {
	if size <= 0 {
		return fault.New(fault.Invalid, "a volume of %d bytes cannot be made", size)
	}
	return nil
}

// SameSize is the answer when something of that name exists already: nil when
// it is as long as wanted, Conflict when it is not. Both are bytes.
func SameSize(name string, have, want int64) error {
	if have != want {
		return fault.New(fault.Conflict, "%s exists already, with %d bytes and not %d", name, have, want)
	}
	return nil
}
