package hold

import (
	"fmt"
	"slices"

	core "k8s.io/api/core/v1"
)

// Note is something that is not as it was, or that keeps a thing from being held.
type Note struct {
	// What is so, Why it matters, and the one thing to do (Fix), for people; the last two
	// may be empty.
	What, Why, Fix string
	// Stops says that it cannot be held so.
	Stops bool
}

// unshare replaces what two pods cannot both have.
func unshare(spec *core.PodSpec, claims map[string][]core.PersistentVolumeAccessMode) (notes []Note) {
	if spec.HostNetwork {
		return []Note{{What: "the pod is in its node's network", Why: "there are no two Envoys with the same ports on a node",
			Fix: "hold the workload in place of a copy", Stops: true}}
	}
	for _, list := range [][]core.Container{spec.InitContainers, spec.Containers} {
		for i := range list {
			for j := range list[i].Ports {
				if p := &list[i].Ports[j]; p.HostPort != 0 {
					notes = append(notes, Note{What: fmt.Sprintf("port %d of the node does not lead to the copy", p.HostPort), Why: "it is the pod's"})
					p.HostPort, p.HostIP = 0, ""
				}
			}
		}
	}
	for i := range spec.Volumes {
		v := &spec.Volumes[i]
		if v.PersistentVolumeClaim == nil || sharable(claims[v.PersistentVolumeClaim.ClaimName], v.PersistentVolumeClaim.ReadOnly) {
			continue
		}
		notes = append(notes, Note{What: fmt.Sprintf("the volume %s is empty in the copy", v.Name),
			Why: fmt.Sprintf("the claim %s is the pod's alone (%s)", v.PersistentVolumeClaim.ClaimName, modes(claims[v.PersistentVolumeClaim.ClaimName])),
			Fix: "hold the workload if the application needs what is in it"})
		v.VolumeSource = core.VolumeSource{EmptyDir: &core.EmptyDirVolumeSource{}}
	}
	return notes
}

// sharable says whether two pods may have a volume, wherever they run.
func sharable(modes []core.PersistentVolumeAccessMode, readOnly bool) bool {
	return slices.Contains(modes, core.ReadWriteMany) || readOnly && slices.Contains(modes, core.ReadOnlyMany)
}

func modes(all []core.PersistentVolumeAccessMode) string {
	if len(all) == 0 {
		return "its access modes are not known"
	}
	return string(all[0])
}

// twice tells what the second application does.
func twice(pod *core.Pod) []Note {
	for _, owner := range pod.OwnerReferences {
		if owner.Kind == "Job" {
			return []Note{{What: "the copy does the job " + owner.Name + " once more", Why: "its application runs there, too",
				Fix: "do not hold it if the job must not be done twice"}}
		}
	}
	return nil
}
