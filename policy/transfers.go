package policy

// Transfers of volumes between projects.
var _ = register(
	Default{Name: "volume:get_all_transfers", Check: reader, Was: owner,
		Description: "List transfers."},
	Default{Name: "volume:get_transfer", Check: reader, Was: owner,
		Description: "Show a transfer."},
	Default{Name: "volume:create_transfer", Check: member, Was: owner,
		Description: "Offer a volume to another project."},
	Default{Name: "volume:accept_transfer", Check: member, Was: anyone,
		Description: "Take a volume that is offered."},
	Default{Name: "volume:delete_transfer", Check: member, Was: owner,
		Description: "Withdraw an offer."},
)
