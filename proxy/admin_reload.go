package proxy

import "net/http"

// serveReload puts the configuration in force as it is now, and answers with
// Reloaded.
func (p *Proxy) serveReload(w http.ResponseWriter, _ *http.Request) {
	done, err := p.Reload()
	if err != nil {
		refuse(w, http.StatusUnprocessableEntity, err.Error())
		return
	}
	answer(w, done)
}
