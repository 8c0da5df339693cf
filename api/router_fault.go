package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

func itoa(n int) string { return strconv.Itoa(n) }

// notRouted answers a path or method that does not exist, as the router in
// front of Cinder's controllers does: plain text, unless the client takes JSON.
func notRouted(c *Call, w http.ResponseWriter) {
	const message = "The resource could not be found."
	accept := c.request.Header.Get("Accept")
	switch {
	case strings.Contains(accept, "application/json"):
		routerFault(w, http.StatusNotFound, message)
	case c.request.Method == http.MethodHead:
		w.Header().Set("Content-Type", "text/html; charset=UTF-8")
		w.WriteHeader(http.StatusNotFound)
	default:
		w.Header().Set("Content-Type", "text/plain; charset=UTF-8")
		w.WriteHeader(http.StatusNotFound)
		_, _ = fmt.Fprintf(w, "404 Not Found\n\n%s\n\n   ", message)
	}
}

// routerFault is the JSON of errors that arise before any controller is reached.
func routerFault(w http.ResponseWriter, status int, message string) {
	title := http.StatusText(status)
	body, _ := json.Marshal(struct {
		Message string `json:"message"`
		Code    string `json:"code"`
		Title   string `json:"title"`
	}{message + "<br /><br />\n\n\n", fmt.Sprintf("%d %s", status, title), title})
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
