"""What is known of the API and missing in the sandbox."""

from tests.sandbox.facts.fact import REPORTS, SDK, SPEC, Fact

FACTS = (
    Fact("gpt-image-1.5, gpt-image-1-mini and chatgpt-image-latest answer until 2026-12-01", "D",
         SDK),
    Fact("svg.model and svg.reasoning choose who writes an svg", "D", SDK),
    Fact("gif and svg want access to their previews", "D", SDK),
    Fact("a mask is a guide that the model may overstep", "D", "OpenAI's image guide"),
    Fact("elements of data of 2.6 carry a generation_id", "R", REPORTS),
    Fact("a reference can name a file uploaded before", "D", SPEC),
    Fact("a rejected key is named by its ends", "R", "reports of 2026; kept out on purpose"),
)  # fmt: skip
