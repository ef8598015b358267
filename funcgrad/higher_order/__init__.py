"""Operations whose parameter is a Program, above the transformations that they need."""
