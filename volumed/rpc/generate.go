package rpc

//go:generate thrift -r --gen go:package_prefix=clinker/volumed/rpc/gen/,skip_remote -out gen volumed.thrift
//go:generate gofmt -w gen
