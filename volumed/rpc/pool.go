package rpc

import "strings"

// PoolName gives the name by which calls know a pool: backend#pool.
func PoolName(backend, pool string) string { return backend + "#" + pool }

// PoolOf gives the pool's name in Cinder's host form host@backend#pool; a
// host without a pool part has a pool of the backend's name, as in Cinder's
// volume_utils.extract_host with default_pool_name.
func PoolOf(host string) string {
	name := host[strings.IndexByte(host, '@')+1:]
	if strings.Contains(name, "#") {
		return name
	}
	return PoolName(name, name)
}
