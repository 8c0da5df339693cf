// Command demo tells the founding story with real virtual machines: a volume is
// made, a machine logs in to it over iSCSI and writes, the machine goes, the
// volume grows, another machine finds the data.
//
// What it prints is what it runs: the openstack client's command lines on this
// machine, the shell's in the guests. Each thing that is claimed is looked at first,
// and the first one that is not as it should be ends the demo with exit status 1.
// Everything it starts listens on 127.0.0.1 and is gone when it ends.
package main
