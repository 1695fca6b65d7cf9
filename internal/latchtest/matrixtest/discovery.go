package matrixtest

import (
	"cmp"
	"net/http"
)

// serveWellKnown tells where the homeserver is.
func (s *Server) serveWellKnown(w http.ResponseWriter, _ *http.Request) {
	if page := s.wellKnown; page != nil {
		if page.Status/100 == 3 {
			w.Header().Set("Location", "/elsewhere")
		}
		w.WriteHeader(page.Status)
		_, _ = w.Write([]byte(page.Body))
		return
	}
	write(w, http.StatusOK, map[string]any{"m.homeserver": map[string]string{"base_url": s.URL + "/"}})
}

// serveVersions tells which versions of the API are spoken.
func (s *Server) serveVersions(w http.ResponseWriter, _ *http.Request) {
	write(w, http.StatusOK, map[string]any{"versions": s.options.Versions, "unstable_features": map[string]bool{"org.example": true}})
}

// serveFlows tells how to log in.
func (s *Server) serveFlows(w http.ResponseWriter, _ *http.Request) {
	flows := []map[string]any{}
	for _, flow := range s.options.Flows {
		flows = append(flows, map[string]any{"type": flow})
	}
	write(w, http.StatusOK, map[string]any{"flows": flows})
}

// profile tells what a user looks like.
func (s *Server) profile(w http.ResponseWriter, r *http.Request) {
	user := s.users[r.PathValue("user")]
	if user == nil {
		refuse(w, http.StatusNotFound, "M_NOT_FOUND", "No row found")
		return
	}
	profile := map[string]string{}
	if user.DisplayName != "" {
		profile["displayname"] = user.DisplayName
	}
	if user.AvatarURL != "" {
		profile["avatar_url"] = user.AvatarURL
	}
	write(w, http.StatusOK, profile)
}

// rename changes the caller's own display name.
func (s *Server) rename(w http.ResponseWriter, r *http.Request) {
	held, ok := s.owner(w, r)
	var in struct {
		Name string `json:"displayname"`
	}
	if !ok || !read(w, r, &in) {
		return
	}
	if held.user != r.PathValue("user") {
		refuse(w, http.StatusForbidden, "M_FORBIDDEN", "Cannot set another user's displayname")
		return
	}
	s.users[held.user].DisplayName = in.Name
	write(w, http.StatusOK, map[string]any{})
}

// whoami tells whose token it is.
func (s *Server) whoami(w http.ResponseWriter, r *http.Request) {
	if held, ok := s.owner(w, r); ok {
		write(w, http.StatusOK, map[string]any{"user_id": cmp.Or(s.claims, held.user), "device_id": held.device, "is_guest": false})
	}
}

// joinedRooms lists the one room that everybody is in.
func (s *Server) joinedRooms(w http.ResponseWriter, r *http.Request) {
	if _, ok := s.owner(w, r); ok {
		write(w, http.StatusOK, map[string]any{"joined_rooms": []string{"!lobby:" + s.Name}})
	}
}

// devices lists the devices of the caller.
func (s *Server) devices(w http.ResponseWriter, r *http.Request) {
	held, ok := s.owner(w, r)
	if !ok {
		return
	}
	list := []map[string]string{}
	for id, name := range s.devicesOf(held.user) {
		list = append(list, map[string]string{"device_id": id, "display_name": name})
	}
	write(w, http.StatusOK, map[string]any{"devices": list})
}

// getToken hands out what no proxy may pass on.
func (s *Server) getToken(w http.ResponseWriter, r *http.Request) {
	if held, ok := s.owner(w, r); ok {
		write(w, http.StatusOK, map[string]any{"login_token": s.issueLogin(held.user), "expires_in_ms": loginLife.Milliseconds()})
	}
}
