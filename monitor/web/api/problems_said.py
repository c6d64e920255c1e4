"""What each status of a problem means, in the words of the documentation."""

SAID = {
    304: "It is as you have it already.",
    400: "Something that was asked cannot be meant.",
    401: "A token is needed, or this one is none of this installation.",
    403: "This token may not do that.",
    404: "There is no such thing.",
    408: "The request took too long to arrive.",
    409: "As things stand it cannot be done.",
    413: "More was sent than can be taken here.",
    415: "JSON is expected here.",
    421: "The site was asked for by a name that is none of its own, and not with a right token.",
    422: "The JSON has another shape, or says what cannot be meant.",
    429: "Too many wrong tokens came from there.",
    502: "The registry did not answer.",
    503: "The database does not answer, or it took too long.",
}
