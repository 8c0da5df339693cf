package image

import (
	"embed"
	"strings"
)

// files are the guest's own files: /init and its configuration.
//
//go:embed root
var files embed.FS

//go:embed packages.txt
var packageList string

// packages names the Debian packages that install.sh puts on the machine.
var packages = strings.Fields(packageList)

// programs go into the image with the libraries they need. Busybox serves all
// other commands; those here win where it has one of the same name.
var programs = strings.Fields(`
	bash dd ip kmod modprobe depmod insmod lsmod rmmod
	blkdiscard blkid blockdev fstrim losetup lsblk mount umount wipefs
	mke2fs mkfs.ext4 e2fsck resize2fs tune2fs
	cryptsetup dmsetup thin_check thin_delta thin_dump thin_repair
	lvm lvchange lvconvert lvcreate lvdisplay lvextend lvreduce lvremove lvrename lvresize lvs
	pvchange pvcreate pvremove pvresize pvs pvscan
	vgchange vgck vgcreate vgextend vgreduce vgremove vgrename vgs vgscan
	iscsid iscsiadm tgtd tgtadm nvme
	qemu-img qemu-io iscsi-inq iscsi-ls iscsi-test-cu`)

// modules go in with the modules they need.
var modules = strings.Fields(`
	virtio_pci virtio_blk virtio_net virtio_rng qemu_fw_cfg configfs loop
	dm-mod dm-thin-pool dm-snapshot dm-flakey dm-delay dm-crypt xts algif_skcipher
	target_core_mod target_core_iblock target_core_file iscsi_target_mod
	iscsi_tcp sd_mod sg
	nvmet nvmet-tcp nvme-tcp
	crc32c-intel libcrc32c`)

// plugins are loaded by path or name at run time, so that ldd does not see them:
// QEMU's iscsi:// driver, and what ends a thread of the thin tools.
var plugins = []string{
	"/usr/lib/x86_64-linux-gnu/qemu/block-iscsi.so",
	"/lib/x86_64-linux-gnu/libgcc_s.so.1",
}
