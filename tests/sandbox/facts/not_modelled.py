"""What is known of the API and missing in the sandbox."""

from tests.sandbox.facts.fact import GUIDE, SDK, SPEC, Fact

FACTS = (
    Fact("stream=true answers with events", "D", SPEC),
    Fact("partial images come as image_generation.partial_image", "D", SPEC),
    Fact("each partial image adds 100 output tokens", "D", GUIDE),
    Fact("the last event is image_generation.completed, with usage", "D", SPEC),
    Fact("edits stream as image_edit.partial_image and image_edit.completed", "D", SPEC),
    Fact("the 2.5 models have the qualities xhigh and max", "D", SDK),
    Fact("the 2.6 models draw gif and svg", "D", SDK),
    Fact("a transparent part of a mask is where the picture changes", "D", GUIDE),
    Fact("a reference can name a file uploaded before", "D", SPEC),
    Fact("a rejected key is named by its ends", "R", "reports of 2026; kept out on purpose"),
)
