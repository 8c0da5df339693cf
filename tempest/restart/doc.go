// Package restart starts, ends and starts `clinker dev` again: what it keeps,
// and what it says on a machine on which it cannot run.
package restart
