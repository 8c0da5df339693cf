package db

// What users are told of managing and unmanaging, in Cinder's words; it has no
// number for unmanaging a snapshot.
var (
	ActionUnmanageVolume   = MessageWord{"006", "unmanage volume"}
	ActionManageVolume     = MessageWord{"008", "create volume from backend storage"}
	ActionManageSnapshot   = MessageWord{"907", "create snapshot from backend storage"}
	ActionUnmanageSnapshot = MessageWord{"908", "unmanage snapshot"}
	DetailQuotaExceed      = MessageWord{"006", "Not enough quota resource for operation."}
)

func init() {
	messageActions = append(messageActions, ActionUnmanageVolume, ActionManageVolume, ActionManageSnapshot, ActionUnmanageSnapshot)
	messageDetails = append(messageDetails, DetailQuotaExceed)
}
