package placement

// ServiceFilter refuses pools whose node does not answer, or that the
// administrator has taken out of use. It always applies.
func init() {
	filters["ServiceFilter"] = func(*Request) check {
		return func(p *Pool) string {
			switch {
			case !p.Up:
				return "the service " + p.ServiceHost() + " is down"
			case p.Disabled:
				return "the service " + p.ServiceHost() + " is disabled"
			case p.Frozen:
				return "the service " + p.ServiceHost() + " is frozen"
			}
			return ""
		}
	}
}
