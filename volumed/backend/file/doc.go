// Package file keeps volumes as sparse files in one directory, one file each,
// named as the volume. It needs no privilege and no device mapper, so that all
// of Clinker runs in any container.
//
// What is being made has a name that begins with ".making-" and becomes the
// volume by a rename that replaces nothing: a file under a volume's name is
// always whole, and one that a crash left is removed when the directory is
// opened again. When a method has returned, what it did outlives a power cut.
//
// The file system hands out zeroes for what was never written and never another
// file's old bytes, hence nothing is wiped and Trash is always empty.
//
// A file that anything has open is never deleted, and a copy is of one point in
// time: by reflink where the file system has it, else only while nobody writes.
package file
