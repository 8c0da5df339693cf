package policy

// Default is a rule as Cinder defines it.
type Default struct {
	Name        string
	Check       string // in the rule language
	Description string // what the rule guards

	// Old is the name the rule had before it was split. An override of the old
	// name counts for every rule that came of it and has none of its own.
	Old string
	// Was is the check before Cinder knew readers and members. With
	// enforce_new_defaults off it is enough to pass either. "" when the check
	// has not changed.
	Was string
}

// Checks that most defaults use.
const (
	reader   = "rule:xena_system_admin_or_project_reader"
	member   = "rule:xena_system_admin_or_project_member"
	adminAPI = "rule:admin_api"
	owner    = "rule:admin_or_owner"
	anyone   = "@"
)

var registered []Default

// register adds a file's defaults while the program starts. Two of one name
// are a mistake of ours.
func register(defaults ...Default) struct{} {
	for _, d := range defaults {
		for _, other := range registered {
			if other.Name == d.Name {
				panic("policy: two defaults named " + d.Name)
			}
		}
		registered = append(registered, d)
	}
	return struct{}{}
}

// Defaults lists the rules as Cinder defines them, resource by resource. The
// caller owns the slice.
func Defaults() []Default { return append([]Default(nil), registered...) }
