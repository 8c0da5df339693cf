// Package rpc carries calls between the control plane and the storage nodes:
// the IDL (volumed.thrift), the code that Debian's thrift-compiler makes of it
// (gen), the client and server over HTTP with mutual TLS, and the one table
// between faults and Thrift refusals.
package rpc

//go:generate thrift -r --gen go:package_prefix=clinker/volumed/rpc/gen/,skip_remote -out gen volumed.thrift
