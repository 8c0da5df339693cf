package policy

// User messages.
var _ = register(
	Default{Name: "message:get_all", Check: reader, Was: owner,
		Description: "List user messages."},
	Default{Name: "message:get", Check: reader, Was: owner,
		Description: "Show a user message."},
	Default{Name: "message:delete", Check: member, Was: owner,
		Description: "Delete a user message."},
)
