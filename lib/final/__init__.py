"""The final test: finalists frozen on the development parts, opened once, judged on images never used before."""
