// Package copy brings the bytes of images onto volumes.
//
// An image is a stranger's. Its format is found from its own bytes and must be
// the one that the image service says; headers are read by parsers of our own,
// which refuse all that could make a program open another file (backing files,
// external data files, extents by name, parents), before qemu-img sees the
// image. qemu-img is told the format, never guesses it, and runs with bounded
// processor time and memory.
//
// The package must never log or keep a token, nor follow where a server sends
// it. The invariant: Write returns nil only when every byte of the image has
// arrived, its size and digests are those that were promised, and the volume
// holds it; until then nobody may be given the volume.
package copy
