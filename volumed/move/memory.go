package move

import (
	"sync"
	"unsafe"
)

// buffers are chunks of memory at the beginning of a page, as O_DIRECT wants it.
var buffers = sync.Pool{New: func() any {
	memory := make([]byte, chunkBytes+alignment)
	shift := -uintptr(unsafe.Pointer(&memory[0])) % alignment
	memory = memory[shift : shift+chunkBytes : shift+chunkBytes]
	return &memory
}}

// buffer gives a chunk of memory until release is called.
func buffer() (memory []byte, release func()) {
	held := buffers.Get().(*[]byte)
	return *held, func() { buffers.Put(held) }
}
