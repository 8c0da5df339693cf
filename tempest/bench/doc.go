// Command bench measures Clinker: `make bench`. It runs the roles as separate
// processes, as an operator does, over a PostgreSQL of its own that waits for
// its disk, on loopback and in a temporary directory; drives them with package
// load; and prints what was measured beside what is aimed at, with the
// processor time and the memory of every process.
//
//	go run ./tempest/bench                     everything on this machine
//	go run ./tempest/bench --peer URL          the same client at another Cinder too (OS_*, SERVICE_TOKEN)
//	go run ./tempest/bench --phases rates      copies of whole volumes, beside qemu-img convert and dd
//	go run ./tempest/bench --thick             also thick LVM in the testbed's guest, beside a bare lvcreate
//
// It ends all that it started. Figures are of this machine and this hour: what
// else runs slows them down, and nothing is judged by them but by a person.
package main
