"""Why an answer says what it says: what each stage of the search found, and what the model was given of it."""
