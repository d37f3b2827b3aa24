package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"gopkg.in/yaml.v3"
)

const containers = "../../packaging/container/"

// A mapping is a map of a YAML file; at follows keys and positions in it.
type mapping = map[string]any

func at(t *testing.T, value any, path ...any) any {
	t.Helper()
	for i, step := range path {
		switch step := step.(type) {
		case string:
			inside, _ := value.(mapping)
			value = inside[step]
		case int:
			list, _ := value.([]any)
			if value = nil; step < len(list) {
				value = list[step]
			}
		}
		if value == nil {
			t.Fatalf("nothing at %v", path[:i+1])
		}
	}
	return value
}

func readDocuments(t *testing.T, name string) (all []mapping) {
	t.Helper()
	text, err := os.ReadFile(containers + name)
	if err != nil {
		t.Fatal(err)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	for {
		var one mapping
		err := decoder.Decode(&one)
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all = append(all, one)
	}
}

// words returns a list of strings.
func words(t *testing.T, value any) (all []string) {
	t.Helper()
	for _, one := range value.([]any) {
		all = append(all, one.(string))
	}
	return all
}

// parseDockerfile returns the instructions with their arguments, and demands
// that each is one that there is.
func parseDockerfile(t *testing.T, text string) (all [][2]string) {
	t.Helper()
	known := strings.Fields("FROM WORKDIR COPY RUN USER EXPOSE ENTRYPOINT CMD")
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, rest, _ := strings.Cut(line, " ")
		if !slices.Contains(known, name) || rest == "" {
			t.Errorf("expected an instruction, got %q", line)
		}
		all = append(all, [2]string{name, rest})
	}
	return all
}

// last returns the arguments of the last instruction of that name.
func last(t *testing.T, instructions [][2]string, name string) string {
	t.Helper()
	for _, one := range slices.Backward(instructions) {
		if one[0] == name {
			return one[1]
		}
	}
	t.Fatalf("no instruction %s", name)
	return ""
}

// The image is built here by hand, as the Dockerfile says, and its command
// runs in it as its user: without a shell, libraries or rights.
func TestImage(t *testing.T) {
	text, err := os.ReadFile(containers + "Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	instructions := parseDockerfile(t, string(text))
	if base := last(t, instructions, "FROM"); base != "scratch" {
		t.Fatalf("got base %s, expected scratch", base)
	}
	if files := last(t, instructions, "COPY"); files != "--from=build /out/ /" {
		t.Fatalf("got COPY %s", files)
	}
	dir := t.TempDir()
	for _, path := range []string{dir, filepath.Dir(dir)} {
		if err := os.Chmod(path, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	build := strings.ReplaceAll(last(t, instructions, "RUN"), "/out/", dir+"/")
	if out, err := shellAt("../..", build).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", build, err, out)
	}
	var command []string
	for _, name := range []string{"ENTRYPOINT", "CMD"} {
		var part []string
		if err := json.Unmarshal([]byte(last(t, instructions, name)), &part); err != nil {
			t.Fatal(err)
		}
		command = append(command, part...)
	}
	port := freePort(t)
	for i := range command {
		command[i] = strings.ReplaceAll(command[i], ":"+last(t, instructions, "EXPOSE"), "127.0.0.1:"+port)
	}
	run := exec.Command(command[0], command[1:]...)
	run.Env, run.Dir = []string{}, "/"
	run.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if user := last(t, instructions, "USER"); os.Geteuid() == 0 {
		if user != "65532:65532" {
			t.Fatalf("got user %s", user)
		}
		run.SysProcAttr.Chroot = dir
		run.SysProcAttr.Credential = &syscall.Credential{Uid: 65532, Gid: 65532}
	} else {
		run.Path = filepath.Join(dir, command[0])
	}
	var complaints bytes.Buffer
	run.Stderr = &complaints
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "answer", func() bool { return answers(port) })
	run.Process.Signal(syscall.SIGTERM)
	if err := waitEnd(t, run); err != nil {
		t.Errorf("%v: %s", err, complaints.String())
	}
}

func shellAt(dir, command string) *exec.Cmd {
	shell := exec.Command("sh", "-c", command)
	shell.Dir = dir
	return shell
}

func TestCompose(t *testing.T) {
	file := readDocuments(t, "compose.yaml")[0]
	services := at(t, file, "services").(mapping)
	front := at(t, services, "geargate")
	command := words(t, at(t, front, "command"))
	if got := runProgram(t, binary, nil, append([]string{"check"}, command[1:]...)...); command[0] != "serve" || got.code != exitOK {
		t.Errorf("%q: got %+v", command, got)
	}
	for _, name := range words(t, at(t, front, "depends_on")) {
		inline := at(t, services, name, "build", "dockerfile_inline").(string)
		entry := last(t, parseDockerfile(t, inline), "ENTRYPOINT")
		if !slices.Contains(command, "--backend="+name+"="+name+":4730") {
			t.Errorf("%s is no backend of %q", name, command)
		}
		var gearmand []string
		if err := json.Unmarshal([]byte(entry), &gearmand); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(gearmand[0], append(gearmand[1:], "--check-args")...).CombinedOutput(); err != nil {
			t.Errorf("%q: %v\n%s", gearmand, err, out)
		}
	}
	if dockerfile := at(t, front, "build", "dockerfile").(string); dockerfile != "packaging/container/Dockerfile" {
		t.Errorf("built from %s", dockerfile)
	}
}

func TestKubernetes(t *testing.T) {
	all := readDocuments(t, "kubernetes.yaml")
	kinds := map[string]mapping{}
	for _, one := range all {
		kinds[at(t, one, "kind").(string)] = one
	}
	pod := at(t, kinds["Deployment"], "spec", "template")
	selector := at(t, kinds["Service"], "spec", "selector", "app")
	if label := at(t, pod, "metadata", "labels", "app"); label != selector || label != at(t, kinds["Deployment"], "spec", "selector", "matchLabels", "app") {
		t.Errorf("pods are labelled %v, the service looks for %v", label, selector)
	}
	container := at(t, pod, "spec", "containers", 0)
	args := words(t, at(t, container, "args"))
	mounted := at(t, container, "volumeMounts", 0, "mountPath").(string)
	text := at(t, kinds["ConfigMap"], "data", "geargate.yaml").(string)
	path, found := strings.CutPrefix(args[1], "--config="+mounted+"/")
	if !found || path != "geargate.yaml" {
		t.Fatalf("the configuration is at %s, and %q is read", mounted, args)
	}
	// It runs with loopback ports in place of those of the pod.
	port, admin := freePort(t), freePort(t)
	for i, free := range []string{port, admin} {
		text = regexp.MustCompile(` :`+[]string{"4730", "4731"}[i]).ReplaceAllString(text, " 127.0.0.1:"+free)
	}
	command := exec.Command(binary, args[0], "--config="+writeFile(t, "geargate.yaml", text))
	command.Env = []string{}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		command.Process.Kill()
		command.Wait()
	})
	eventually(t, "answer", func() bool { return answers(port) })
	for _, probe := range []string{"readinessProbe", "livenessProbe"} {
		path := at(t, container, probe, "httpGet", "path").(string)
		response, err := http.Get("http://127.0.0.1:" + admin + path)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusOK {
			t.Errorf("%s: %s answers %s", probe, path, response.Status)
		}
	}
}
