package db

// The machine of a volume's status, after Cinder's: which changes there are,
// and from where. A crash at any point leaves a status that some Move leads
// out of, and a job or the reconciler that makes it.
var (
	// CreateDone: the node has the volume.
	CreateDone = Move{"finish creating", []string{"creating", "downloading"}, "available"}
	// CreateFailed: no pool would serve; a user message says why.
	CreateFailed = Move{"fail creating", []string{"creating", "downloading"}, "error"}

	// DownloadBegin: it has a place, and its node is to bring its image there.
	DownloadBegin = Move{"copy its image", []string{"creating"}, "downloading"}
	// DownloadAgain: the image's bytes could not be had. The new generation makes
	// the next try an operation of its own.
	DownloadAgain = Move{"fetch its image again", []string{"downloading"}, Same}

	// PlaceAgain: a pool that was chosen did not serve. It raises the
	// generation, so that what was asked of that pool's node comes too late.
	PlaceAgain = Move{"choose another pool", []string{"creating", "downloading"}, Same}

	// ExtendBegin raises a free volume's size; its job follows.
	ExtendBegin = Move{"extend", []string{"available"}, "extending"}
	// ExtendBeginInUse is for microversions from 3.42.
	ExtendBeginInUse = Move{"extend", []string{"available", "in-use"}, "extending"}
	// ExtendDone: the node has made it longer.
	ExtendDone = Move{"finish extending", []string{"extending"}, Settled}
	// ExtendRefused: its pool has no room, and nothing was tried.
	ExtendRefused = Move{"refuse extending", []string{"extending"}, Settled}
	// ExtendFailed: it could not be made longer and is as it was, as far as is known.
	ExtendFailed = Move{"fail extending", []string{"extending"}, "error_extending"}
	// ExtendResume: the node that did not answer is back.
	ExtendResume = Move{"go on extending", []string{"error_extending"}, "extending"}
	// ExtendFound: its node has made it longer, though it failed.
	ExtendFound = Move{"find it extended", []string{"error_extending"}, Settled}

	// DeleteBegin: see errors.tsv, volumes.delete, for what else must hold.
	DeleteBegin = Move{"delete", []string{"available", "error", "error_restoring", "error_extending", "error_managing"}, "deleting"}
	// ForceDeleteBegin is the administrator's, from any status.
	ForceDeleteBegin = Move{"force delete", nil, "deleting"}
	// DeleteDone: the node has it no more. The row stays, out of every list.
	DeleteDone = Move{"finish deleting", []string{"deleting", "creating", "error"}, "deleted"}
	// DeleteFailed: the node said no for a reason that waiting does not mend.
	DeleteFailed = Move{"fail deleting", []string{"deleting"}, "error_deleting"}
	// DeleteWait: something on the node still holds the device; a further try
	// follows. The new generation makes it an operation of its own.
	DeleteWait = Move{"wait for its users", []string{"deleting"}, Same}
	// DeleteResume: the node that did not answer is back.
	DeleteResume = Move{"go on deleting", []string{"error_deleting"}, "deleting"}
	// DeleteBusy: something on the node still holds the device.
	DeleteBusy = Move{"delete", []string{"deleting"}, Settled}

	// JobLost: a volume in a moving status had no job, and gets one.
	JobLost = Move{"begin again, for its job was lost", []string{"creating", "downloading", "extending", "deleting"}, Same}
	// Outdated: a node has remains of it, which the raised generation lets be
	// taken away.
	Outdated = Move{"clear away remains", nil, Same}

	// UpdateReadonly is about how the volume will be attached: only while it is not.
	UpdateReadonly = Move{"update readonly flag", []string{"available"}, Same}

	// Reserve is an attachment without a connector on a free volume. Not on one
	// that is downloading: it is not made yet, and whoever reserves it would take
	// it out of its job's hands.
	Reserve = Move{"reserve", []string{"available"}, "reserved"}
	// ReserveMore is a further attachment: of the same server, or of a volume
	// that many may attach.
	ReserveMore = Move{"reserve", []string{"in-use", "reserved", "attaching", "detaching"}, Same}
	// Hold is os-reserve.
	Hold = Move{"reserve", []string{"available"}, "attaching"}
	// HoldMore is os-reserve of a volume that many may attach.
	HoldMore = Move{"reserve", []string{"available", "in-use"}, "attaching"}
	// Unreserve is os-unreserve, and what ends a connection before its os-attach.
	Unreserve = Move{"unreserve", []string{"attaching"}, Settled}
	// BeginDetaching tells the users of a volume that it will be detached.
	BeginDetaching = Move{"detach", []string{"in-use"}, "detaching"}
	// RollDetaching takes that back.
	RollDetaching = Move{"roll back detaching", []string{"detaching"}, Settled}
	// ForceDetached is what os-force_detach ends with: it also mends a volume that
	// was in error over its attachments.
	ForceDetached = Move{"force detach", []string{"reserved", "attaching", "in-use", "available", "detaching", "error", "error_detaching"}, Settled}

	// AttachmentsChanged follows every change of an attachment.
	AttachmentsChanged = Move{"change its attachments", []string{"reserved", "attaching", "in-use", "available", "detaching"}, Settled}
	// AttachmentsTouched is the same where the status belongs to something
	// else for the moment: the generation is raised all the same.
	AttachmentsTouched = Move{"change its attachments", nil, Same}
)

// ResetTo is the administrator's os-reset_status, from any status.
func ResetTo(status string) Move { return Move{"reset status", nil, status} }
