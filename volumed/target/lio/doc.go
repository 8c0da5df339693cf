// Package lio exports volumes through LIO, the kernel's iSCSI target, by
// writing to its configfs tree and nothing else: no targetcli, no saved
// configuration. The kernel is the only place where exports are kept.
//
// One volume is, below /sys/kernel/config/target:
//
//	core/iblock_2010/IQN          the backstore (fileio_2010 for a file)
//	iscsi/IQN/tpgt_1/np/…         the portals
//	iscsi/IQN/tpgt_1/lun/lun_0    the logical unit
//	iscsi/IQN/tpgt_1/acls/…       one per grant: CHAP, mapped unit, write protection
//
// A grant's username and password are its initiator's alone. A password is set
// last, so that nobody can log in to an access rule that is not complete; taking a
// rule away makes the kernel end its sessions, and a login half done, before rmdir
// returns. A unit whose device grew needs nothing; a file's new size is told to the
// backstore. Sessions never notice either.
//
// Every step looks first at what is there and writes only the difference: so a
// half-made export is finished, and one that is right is left alone. The
// invariants: authentication is switched on before the first access rule exists,
// and nothing outside the names above, or with another prefix, is ever touched, but a
// backstore of the export's own name in another HBA.
package lio
