package policy

// Attachments.
var _ = register(
	Default{Name: "volume:attachment_create", Check: member, Was: anyone,
		Description: "Attach a volume, or reserve it for an instance."},
	Default{Name: "volume:attachment_update", Check: member, Was: owner,
		Description: "Give an attachment its host's connector."},
	Default{Name: "volume:attachment_delete", Check: member, Was: owner,
		Description: "Detach: end an attachment."},
	Default{Name: "volume:attachment_complete", Check: member, Was: owner,
		Description: "Report that the host has the device."},
	Default{Name: "volume:multiattach_bootable_volume", Check: member, Was: owner,
		Description: "Attach a bootable volume a second time."},
)
