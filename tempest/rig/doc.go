// Package rig starts the real clinker on this machine for black-box tests: as
// one `clinker dev` (Dev), or as the separate processes of a real installation
// (Cloud) with a PostgreSQL, certificates and iSCSI daemons of their own.
//
// Everything listens on loopback, on ports that were free, and lives in one
// temporary directory. Every process is ended by its id when its test ends, and
// by the kernel when the test's own process dies: nothing outlives a test. When a
// test fails, the ends of all logs are printed with it.
package rig
