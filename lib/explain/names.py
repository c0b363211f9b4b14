"""The methods by name, for code and for people; which of them explain a layer, and what the others cannot be asked."""

METHODS = {
    "cam": "CAM",
    "grad_cam": "Grad-CAM",
    "grad_cam_plus_plus": "Grad-CAM++",
    "gradients": "Gradients",
    "guided_backpropagation": "Guided Backpropagation",
    "guided_grad_cam": "Guided Grad-CAM",
    "integrated_gradients": "Integrated Gradients",
    "occlusion": "Occlusion",
}
OF_A_LAYER = ("cam", "grad_cam", "grad_cam_plus_plus")  # in the size of a layer; all others in that of the image
CONTROLS = {"random": "random map", "edges": "edge detector", "centre": "centre blob"}  # they know no network


def title(name: str) -> str:
    """A method or a control for people."""
    return (METHODS | CONTROLS)[name]
