package rpc

//go:generate thrift -r --gen go:package_prefix=clinker/volumed/rpc/gen/ -out gen volumed.thrift
