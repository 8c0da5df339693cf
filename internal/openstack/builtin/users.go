package builtin

import "strconv"

// users: an administrator sees all, everybody sees themselves.
var users = collection{
	plural: "users", singular: "user",
	entries: func(_ *Service, d *directory) []entry {
		entries := make([]entry, 0, len(d.Users))
		for _, u := range d.Users {
			entries = append(entries, entry{
				id: u.ID,
				fields: map[string]string{"name": u.Name, "domain_id": domainID,
					"enabled": strconv.FormatBool(!u.Disabled)},
				view: view{"id": u.ID, "name": u.Name, "description": u.Description,
					"domain_id": domainID, "enabled": !u.Disabled,
					"password_expires_at": nil, "options": struct{}{}},
			})
		}
		return entries
	},
	mayShow: func(caller *session, id string) bool { return caller.user.ID == id },
}
