package move

import (
	"sync"

	"clinker/internal/direct"
)

// buffers are chunks of memory as O_DIRECT wants it.
var buffers = sync.Pool{New: func() any {
	memory := direct.Buffer(chunkBytes)
	return &memory
}}

// buffer gives a chunk of memory until release is called.
func buffer() (memory []byte, release func()) {
	held := buffers.Get().(*[]byte)
	return *held, func() { buffers.Put(held) }
}
