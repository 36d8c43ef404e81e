package kube

import (
	"fmt"
	"slices"
	"strings"

	core "k8s.io/api/core/v1"
)

// Space says whether so many bytes can be put into the first of the container's places
// that is on disk and may run programs.
func (s *Sidecar) Space(r *Room, need int64) Finding {
	f := Finding{Check: "space", State: OK}
	var no []string
	for _, p := range r.Places {
		switch limit := s.diskLimit(p.Dir); {
		case p.Memory():
			no = append(no, p.Dir+" is memory")
		case p.NoExec:
			no = append(no, p.Dir+" may not run programs (noexec)")
		case p.Free > 0 && p.Free < need:
			no = append(no, fmt.Sprintf("%s has %s", p.Dir, Megabytes(p.Free)))
		case limit > 0 && limit < need:
			no = append(no, fmt.Sprintf("%s may take %s, or the kubelet evicts the pod", p.Dir, Megabytes(limit)))
		default:
			f.What = fmt.Sprintf("%s has %s; %s are needed", p.Dir, Megabytes(p.Free), Megabytes(need))
			if p.Free == 0 {
				f.What = fmt.Sprintf("%s; %s are needed", p.Dir, Megabytes(need))
			}
			return f
		}
	}
	f.State, f.What = Failed, fmt.Sprintf("no folder for %s", Megabytes(need))
	if len(no) > 0 {
		f.What += ": " + strings.Join(no, "; ")
	}
	f.Why = "the helper and lldb-server are put there, on disk: memory would count against the container's limit"
	f.Fix = "mount an emptyDir with enough room at /var/lib/istio/data, as Istio does"
	return f
}

// diskLimit is how much a folder may take before the kubelet evicts the pod; 0 for no
// limit.
func (s *Sidecar) diskLimit(dir string) (limit int64) {
	least := func(n int64) {
		if n > 0 && (limit == 0 || n < limit) {
			limit = n
		}
	}
	for _, c := range slices.Concat(s.pod.Spec.InitContainers, s.pod.Spec.Containers) {
		if c.Name != s.Container {
			continue
		}
		if q, ok := c.Resources.Limits[core.ResourceEphemeralStorage]; ok {
			least(q.Value())
		}
		for _, m := range c.VolumeMounts {
			for _, v := range s.pod.Spec.Volumes {
				if m.Name == v.Name && m.MountPath == dir && v.EmptyDir != nil && v.EmptyDir.SizeLimit != nil {
					least(v.EmptyDir.SizeLimit.Value())
				}
			}
		}
	}
	return limit
}
