package db

import (
	"time"

	"github.com/google/uuid"
)

// messageLifetime is Cinder's default message_ttl: 30 days.
const messageLifetime = 30 * 24 * time.Hour

// MessageWord is an action or a detail of a message: a number that programs
// know and the words that people read.
type MessageWord struct{ ID, Text string }

// The actions that messages tell of: Cinder's (cinder/message/message_field.py).
// Cinder has no number for deleting, reverting, retyping or moving a volume, nor for
// deleting a group; ours are far from those it may still give away.
var (
	ActionScheduleAllocate = MessageWord{"001", "schedule allocate volume"}
	ActionCopyImage        = MessageWord{"005", "copy image to volume"}
	ActionExtendVolume     = MessageWord{"007", "extend volume"}
	ActionDeleteVolume     = MessageWord{"901", "delete volume"}
	ActionRevertVolume     = MessageWord{"902", "revert volume to a snapshot"}
	ActionDeleteGroup      = MessageWord{"903", "delete group"}
	ActionRetypeVolume     = MessageWord{"904", "retype volume"}
	ActionMigrateVolume    = MessageWord{"905", "migrate volume"}
	ActionFailOver         = MessageWord{"906", "fail over"}
	ActionCreateSnapshot   = MessageWord{"009", "create snapshot"}
	ActionDeleteSnapshot   = MessageWord{"010", "delete snapshot"}
	ActionCreateBackup     = MessageWord{"013", "create backup"}
	ActionDeleteBackup     = MessageWord{"014", "delete backup"}
	ActionRestoreBackup    = MessageWord{"015", "restore backup"}
)

// The details, likewise Cinder's.
var (
	DetailUnknownError       = MessageWord{"001", "An unknown error occurred."}
	DetailNoBackendAvailable = MessageWord{"003", "Could not find any available weighted backend."}
	DetailNoSpaceForImage    = MessageWord{"007", "Image used for creating volume exceeds available space."}
	DetailNotifyCompute      = MessageWord{"009", "Compute service failed to extend volume."}
	DetailDriverFailedExtend = MessageWord{"010", "Volume Driver failed to extend volume."}
	DetailSnapshotCreate     = MessageWord{"013", "Snapshot failed to create."}
	DetailSnapshotBusy       = MessageWord{"015", "Snapshot is busy."}
	DetailSnapshotDelete     = MessageWord{"016", "Snapshot failed to delete."}
	DetailBackupCreate       = MessageWord{"020", "Backup driver failed to create backup."}
	DetailBackupSchedule     = MessageWord{"024", "Backup failed to schedule. Service not found for creating backup."}
	DetailBackupDelete       = MessageWord{"025", "Backup driver failed to delete backup."}
	DetailBackupRestore      = MessageWord{"026", "Backup driver failed to restore backup."}
	DetailVolumeState        = MessageWord{"027", "Volume status is invalid."}
)

var (
	messageActions = []MessageWord{ActionScheduleAllocate, ActionCopyImage, ActionExtendVolume, ActionDeleteVolume, ActionRevertVolume, ActionDeleteGroup,
		ActionRetypeVolume, ActionMigrateVolume, ActionFailOver,
		ActionCreateSnapshot, ActionDeleteSnapshot, ActionCreateBackup, ActionDeleteBackup, ActionRestoreBackup}
	messageDetails = []MessageWord{DetailUnknownError, DetailNoBackendAvailable, DetailNoSpaceForImage, DetailNotifyCompute, DetailDriverFailedExtend,
		DetailSnapshotCreate, DetailSnapshotBusy, DetailSnapshotDelete,
		DetailBackupCreate, DetailBackupSchedule, DetailBackupDelete, DetailBackupRestore, DetailVolumeState}
)

// NewVolumeMessage is what a volume's project is told of a failure. sentence is
// ours; it names no host and no pool. request is the id of the user's request.
func NewVolumeMessage(v Volume, action, detail MessageWord, sentence, request string) *Message {
	return newMessage("VOLUME", v.ID, v.ProjectID, action, detail, sentence, request)
}

// NewSnapshotMessage is the same for a snapshot.
func NewSnapshotMessage(s Snapshot, action, detail MessageWord, sentence, request string) *Message {
	return newMessage("VOLUME_SNAPSHOT", s.ID, s.ProjectID, action, detail, sentence, request)
}

// NewBackupMessage is the same for a backup.
func NewBackupMessage(b Backup, action, detail MessageWord, sentence, request string) *Message {
	return newMessage("VOLUME_BACKUP", b.ID, b.ProjectID, action, detail, sentence, request)
}

// NewGroupMessage is the same for a group. Cinder has no messages about them.
func NewGroupMessage(g Group, action, detail MessageWord, sentence, request string) *Message {
	return newMessage("GROUP", g.ID, g.ProjectID, action, detail, sentence, request)
}

// NewGroupSnapshotMessage is the same for a group snapshot.
func NewGroupSnapshotMessage(s GroupSnapshot, action, detail MessageWord, sentence, request string) *Message {
	return newMessage("GROUP_SNAPSHOT", s.ID, s.ProjectID, action, detail, sentence, request)
}

func newMessage(kind, id, project string, action, detail MessageWord, sentence, request string) *Message {
	m := &Message{
		ID: uuid.NewString(), ProjectID: project, EventID: "VOLUME_" + kind + "_" + action.ID + "_" + detail.ID,
		ActionID: action.ID, DetailID: detail.ID, Detail: sentence, MessageLevel: "ERROR",
		ResourceType: &kind, ResourceUUID: &id, ExpiresAt: time.Now().UTC().Add(messageLifetime),
	}
	if request != "" {
		m.RequestID = &request
	}
	return m
}

// UserMessage is Cinder's "action:detail" with our sentence behind it.
func (m Message) UserMessage() string {
	text := wordOf(messageActions, m.ActionID, "unknown action") + ":" +
		wordOf(messageDetails, m.DetailID, DetailUnknownError.Text)
	if m.Detail != "" {
		text += " " + m.Detail
	}
	return text
}

func wordOf(words []MessageWord, id, unknown string) string {
	for _, w := range words {
		if w.ID == id {
			return w.Text
		}
	}
	return unknown
}
