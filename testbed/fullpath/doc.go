// Package fullpath has only tests: the whole way of a volume's data with nothing
// replaced. On this machine run PostgreSQL, `clinker api` and `clinker
// scheduler`; a virtual machine is the storage node, with `clinker volumed` over
// logical volumes, thick and thin, exported by LIO; two more are machines of a
// user, which `clinker attach` brings the volumes to over the storage network.
//
// The claims of each test are about what can be seen from outside Clinker: the
// REST API, the block devices in the user's machines, the kernel of the storage
// node, and the bytes of its disk.
package fullpath
