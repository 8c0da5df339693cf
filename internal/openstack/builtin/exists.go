package builtin

import "context"

// ProjectExists tells whether there is a project of that id. It cannot fail.
func (s *Service) ProjectExists(_ context.Context, id string) (bool, error) {
	return s.store.get().projectByID[id] != nil, nil
}
