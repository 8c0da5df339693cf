package move

import (
	"sync"

	"golang.org/x/sys/unix"
)

// buffers are chunks of memory at the beginning of a page, as O_DIRECT wants it.
// They are never given back to the kernel: there are as many as were used at once.
var buffers = sync.Pool{New: func() any {
	memory, err := unix.Mmap(-1, 0, chunkBytes, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		memory = make([]byte, chunkBytes) // for files it serves
	}
	return &memory
}}

// buffer gives a chunk of memory until release is called.
func buffer() (memory []byte, release func()) {
	held := buffers.Get().(*[]byte)
	return *held, func() { buffers.Put(held) }
}
