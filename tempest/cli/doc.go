// Package cli is a user's view: the real openstack and cinder clients, as Debian
// packages them, against `clinker dev`, with the openrc and nothing else. testdata/*.session are
// what was typed and what was read: the test types it again and compares. Ids,
// times and ports are replaced by others of the same width.
//
// The clients' modules are loaded once (warm/), which is most of what running a
// client takes; what then runs is what the installed scripts run.
//
// go test ./tempest/cli -update writes down what is read now.
package cli
