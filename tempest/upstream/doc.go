// Package upstream runs OpenStack's own Tempest against Clinker: Debian's tempest
// and cinder-tempest-plugin, with Debian's Keystone for identity and Debian's
// Glance for images, all on loopback and all ended with the test.
//
// The test itself is built with the tag tempest, as it installs nothing and takes a
// quarter of an hour: run it with make tempest.
//
// testdata/expected.txt names the tests that pass. One that is there and does not
// pass fails the run; one that passes and is not there is reported, so that it
// can be added (make tempest ARGS=-update writes what passed).
package upstream
