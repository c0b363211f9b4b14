"""What no record can know: who answers for the model, why the data were made; said by people, or open.

`params/statements/<data set>.yml` holds one text a line under a name of NEEDED. The line `people: none` says that the images show
no people: then what is asked of people does not apply.
"""

from lib import config
from lib.site.places import Fact, Open, Place

PEOPLE = "people"
NO_PEOPLE = "none"
OF_PEOPLE = ("deidentification", "consent")  # places that say nothing where no people are shown
WITHOUT_PEOPLE = {  # what is missing instead
    "demographics": "what the images come from, part by part: site, device",
    "sensitive_data": "whether the images hold anything sensitive",
}
NEEDED = {  # name -> what is missing while nobody has said it
    "developers": "who developed the model and answers for it",
    "contact": "whom to ask about the model",
    "intended_use": "what the model is meant to be used for, and by whom",
    "out_of_scope": "what the model must not be used for",
    "clinical_role": "the part that the model would play in practice",
    "background": "the scientific or clinical background of the question",
    "affected_people": "whom wrong answers would harm, and how",
    "ethics": "whether an ethical review took place",
    "sensitive_data": "whether the images hold anything sensitive or personal",
    "deidentification": "how personal details were removed from the images",
    "consent": "whether people agreed to the collection, and can withdraw",
    "motivation": "for what purpose the data set was made",
    "creators": "who made the data set, on whose behalf",
    "data_funding": "who paid for the making of the data set",
    "funding": "who paid for this work, and their part in it",
    "instances": "what an image of the data set shows",
    "population": "what the images are a sample of, and how far they represent it",
    "acquisition": "how the images were taken: device, protocol, settings",
    "collection": "who collected the images, when, and how they were chosen",
    "study_design": "whether the images were collected for this question or before it was asked",
    "annotation": "how, by whom and with which tools the labels were given",
    "annotation_reason": "why these labels are taken for the truth",
    "annotation_agreement": "how far those who labelled agree with one another, and with themselves",
    "annotation_test": "whether the test part was labelled in another way than the rest",
    "raw_data": "whether the unprocessed pictures were kept, and where",
    "original_processing": "what had been done to the images before they came here",
    "demographics": "who or what the images come from, part by part: age, sex, site, device",
    "sample_size": "how many images the question needs, reckoned before they were collected",
    "other_uses": "what else the data set has been used for",
    "distribution": "how and since when the data set is given to others",
    "restrictions": "rights of third parties and rules of export that bear on the data",
    "maintenance": "who keeps the data set, and how corrections reach its users",
    "erratum": "whether errors of the data set are listed anywhere",
    "registration": "where the study was registered before it began",
    "protocol": "where the whole protocol of the study can be read",
    "availability": "where trained model and code can be had",
    "attacks": "how the model bears images that were changed on purpose",
    "intersections": "how the model does where two slices meet: too few images, or nobody asked",
    "practice": "what the results mean for practice",
}


def of(dataset: str) -> dict[str, str]:
    """What people said of a data set and of the model trained on it, by name; empty without a file.

    Raises UserError naming file and name, in one line, for what is not asked or is no text.
    """
    path = config.PARAMETERS / "statements" / f"{dataset}.yml"
    if not path.is_file():
        return {}
    said, where = config.read_yaml(path), f"params/statements/{dataset}.yml"
    if not isinstance(said, dict):
        raise config.UserError(f"{where}: expected lines such as `contact: name and address`")
    for name, text in said.items():
        config.one_of(f"{where}: name", str(name), [*NEEDED, PEOPLE])
        if name == PEOPLE:
            config.one_of(f"{where}: {PEOPLE}", str(text), [NO_PEOPLE])
        if not (isinstance(text, str) and text.strip()):
            raise config.UserError(f"{where}: {name} is {text!r}; give a sentence, or leave the line out")
    return said


def of_people(dataset: str) -> dict[str, Place]:
    """A place for each: what was said, or that it is open."""
    said, source = of(dataset), f"params/statements/{dataset}.yml"
    needed, given = dict(NEEDED), {name: (text, name) for name, text in said.items() if name != PEOPLE}
    if PEOPLE in said:
        needed |= WITHOUT_PEOPLE
        given = dict.fromkeys(OF_PEOPLE, ("not applicable: the images show no people", PEOPLE)) | given
    return {
        name: Fact(given[name][0], f"{source}: {given[name][1]}") if name in given else Open(what)
        for name, what in needed.items()
    }
