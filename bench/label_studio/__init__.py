"""Label Studio and Handrail take the same texts in, hand them out, take answers and give everything out again."""
