package main

import (
	"context"
	"fmt"
	"io"
)

// Thick compares Clinker on thick LVM with LVM alone.
type Thick struct {
	Ratio float64 `json:"ratio"`
}

func (t *Thick) print(out io.Writer) {
	if t == nil {
		return
	}
	fmt.Fprintln(out, t.Ratio)
}

func (b *bench) thick(ctx context.Context, dir string) (*Thick, error) { return nil, nil }
