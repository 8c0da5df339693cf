package db

// What users are told of volumes that become images, and get new ones: Cinder's
// words.
var (
	ActionUploadVolume  = MessageWord{"003", "copy volume to image"}
	ActionReimageVolume = MessageWord{"016", "reimage volume"}
	DetailUploadFailed  = MessageWord{"004", "Failed to upload volume to image at backend."}
	DetailReimageFailed = MessageWord{"028", "Compute service failed to reimage volume."}
)

func init() {
	messageActions = append(messageActions, ActionUploadVolume, ActionReimageVolume)
	messageDetails = append(messageDetails, DetailUploadFailed, DetailReimageFailed)
}
