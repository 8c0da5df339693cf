// Package e2e follows a volume's data all the way on one machine: REST API,
// scheduler, volumed, sparse file, tgtd, and an initiator (qemu-io over libiscsi)
// that logs in with what the API gave it and nothing else.
package e2e
