"""Operations on the directory as a whole."""
