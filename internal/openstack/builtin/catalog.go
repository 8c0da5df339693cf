package builtin

import "strings"

// catalogService is one service with its three endpoints. The ids are made from
// the names, so that every process announces the same.
type catalogService struct {
	id, kind, name string
	url            string // may hold %(project_id)s, as Keystone's templates
	region         string
}

// interfaces are announced with the same URL: one API serves all three.
var interfaces = []string{"public", "internal", "admin"}

// newCatalog lists what clients look for: gophercloud and openstacksdk ask for
// block-storage, Nova's default is volumev3:cinderv3:publicURL with the project
// in the URL. Both URLs end up at the same server.
func newCatalog(cfg Config) []catalogService {
	services := []catalogService{
		{kind: "identity", name: "keystone", url: cfg.PublicURL + "/v3"},
		{kind: "image", name: "glance", url: cfg.PublicURL + imagePath},
		{kind: "compute", name: "nova", url: cfg.PublicURL + computePath},
	}
	if cfg.VolumeURL != "" {
		services = append(services,
			catalogService{kind: "block-storage", name: "cinder", url: cfg.VolumeURL},
			catalogService{kind: "volumev3", name: "cinderv3", url: cfg.VolumeURL + "/%(project_id)s"})
	}
	if cfg.KeysURL != "" {
		services = append(services, catalogService{kind: "key-manager", name: "barbican", url: cfg.KeysURL})
	}
	for i := range services {
		services[i].id = deriveID("service", services[i].kind)
		services[i].region = cfg.Region
	}
	return services
}

type endpointView struct {
	ID        string `json:"id"`
	Interface string `json:"interface"`
	Region    string `json:"region"`
	RegionID  string `json:"region_id"`
	URL       string `json:"url"`
}

type catalogView struct {
	ID        string         `json:"id"`
	Type      string         `json:"type"`
	Name      string         `json:"name"`
	Endpoints []endpointView `json:"endpoints"`
}

// catalogFor is the catalog as the bearer of a token scoped to the project sees it.
func (s *Service) catalogFor(p *project) []catalogView {
	views := make([]catalogView, 0, len(s.catalog))
	for _, svc := range s.catalog {
		views = append(views, catalogView{svc.id, svc.kind, svc.name,
			svc.endpoints(strings.ReplaceAll(svc.url, "%(project_id)s", p.ID))})
	}
	return views
}

func (svc catalogService) endpoints(url string) []endpointView {
	views := make([]endpointView, 0, len(interfaces))
	for _, face := range interfaces {
		views = append(views, endpointView{
			ID: svc.endpointID(face), Interface: face,
			Region: svc.region, RegionID: svc.region, URL: url,
		})
	}
	return views
}

func (svc catalogService) endpointID(face string) string {
	return deriveID("endpoint", svc.kind+":"+face)
}
